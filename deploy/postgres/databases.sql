-- A database for each service, with the role that migrates it and the role that runs the service.

CREATE ROLE intake_owner LOGIN;
CREATE ROLE intake_app LOGIN;
CREATE DATABASE intake OWNER intake_owner;

CREATE ROLE scheduling_owner LOGIN;
CREATE ROLE scheduling_app LOGIN;
CREATE DATABASE scheduling OWNER scheduling_owner;

CREATE ROLE assessment_owner LOGIN;
CREATE ROLE assessment_app LOGIN;
CREATE DATABASE assessment OWNER assessment_owner;

CREATE ROLE gateway_owner LOGIN;
CREATE ROLE gateway_app LOGIN;
CREATE DATABASE gateway OWNER gateway_owner;

CREATE ROLE notifier_owner LOGIN;
CREATE ROLE notifier_app LOGIN;
CREATE DATABASE notifier OWNER notifier_owner;
