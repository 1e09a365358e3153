"""`cms maps`: reads the maps from answers to outside records as files, without a running platform."""
