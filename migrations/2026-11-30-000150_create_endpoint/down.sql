DROP TABLE endpoint;
