DROP TRIGGER forget_variables ON message;
DROP FUNCTION forget_variables, keeps_variables;
