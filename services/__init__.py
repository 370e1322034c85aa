"""The feature services and the chassis they stand on."""
