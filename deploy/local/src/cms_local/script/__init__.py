"""`cms script`: reads the catalogues of questions as files, without a running platform."""
