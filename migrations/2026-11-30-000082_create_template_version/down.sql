DROP TABLE template_version;
