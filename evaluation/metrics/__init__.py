"""Image quality metrics: functions of arrays, one metric a module."""
