DROP FUNCTION tell, wants;
DROP TABLE event_delivery, event;
