DROP TABLE dealer_settings;
