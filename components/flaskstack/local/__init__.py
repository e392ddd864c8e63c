"""The parts of the local stack. Private: import `LocalStack` from `flaskstack`."""
