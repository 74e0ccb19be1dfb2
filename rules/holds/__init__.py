"""Why a unit is not disposed of although its time has come."""
