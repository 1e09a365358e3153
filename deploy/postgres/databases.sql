-- A database for each service, UTF-8 whatever the image's default, with the role that migrates it and the role that runs it.

CREATE ROLE intake_owner LOGIN;
CREATE ROLE intake_app LOGIN;
CREATE DATABASE intake OWNER intake_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';

CREATE ROLE scheduling_owner LOGIN;
CREATE ROLE scheduling_app LOGIN;
CREATE DATABASE scheduling OWNER scheduling_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';

CREATE ROLE assessment_owner LOGIN;
CREATE ROLE assessment_app LOGIN;
CREATE DATABASE assessment OWNER assessment_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';

CREATE ROLE gateway_owner LOGIN;
CREATE ROLE gateway_app LOGIN;
CREATE DATABASE gateway OWNER gateway_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';

CREATE ROLE notifier_owner LOGIN;
CREATE ROLE notifier_app LOGIN;
CREATE DATABASE notifier OWNER notifier_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
