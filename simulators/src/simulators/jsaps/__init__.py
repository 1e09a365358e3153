"""JSAPS, the Jobseeker's Allowance Payment System: a stand-in that keeps to the interface document."""
