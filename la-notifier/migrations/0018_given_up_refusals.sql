-- What an authority refused and needs no more waits for no later version: the claim was withdrawn, or went to another authority.
UPDATE notice_versions SET followed = true FROM notices
WHERE notices.notice_id = notice_versions.notice_id AND NOT notices.wanted
    AND notice_versions.state = 'REFUSED' AND NOT notice_versions.followed;
UPDATE work_items SET state = 'DONE', outcome = 'FOLLOWED', done = now() FROM notices
WHERE notices.notice_id = work_items.notice_id AND NOT notices.wanted AND work_items.kind = 'REFUSAL' AND work_items.state = 'OPEN';
