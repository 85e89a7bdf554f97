DROP TABLE dealer_webhook;
