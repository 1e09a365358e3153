"""All SQL of the notifier, by theme. Functions take a connection.

Leases, due times and back-off are real time; what a notice tells is dated by the platform.
"""
