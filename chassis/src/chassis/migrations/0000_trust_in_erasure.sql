-- Claims whose data key was destroyed. See docs/adr/0083-erasure-destroys-the-key.md.

-- A tombstone: no new key is made for such a claim, whatever comes late.
CREATE TABLE erased_claims (
    claim_ref text PRIMARY KEY,
    erased_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The one way to destroy a key: whoever writes a tombstone destroys it.
CREATE FUNCTION destroy_keys() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM public.data_keys USING erased WHERE data_keys.claim_ref = erased.claim_ref;
    RETURN NULL;
END
$$;

CREATE TRIGGER destroy_keys AFTER INSERT ON erased_claims
REFERENCING NEW TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION destroy_keys();
