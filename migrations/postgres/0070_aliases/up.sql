-- The other names of a contact are called as those of an organization. A quote within a text is escaped, so that no text matches.
UPDATE contacts SET name_parts = replace(name_parts::text, '"former_names":', '"aliases":')::jsonb;
UPDATE changes SET before = replace(before::text, '"former_names":', '"aliases":')::jsonb
    WHERE entity = 'contact' AND before::text LIKE '%"former_names"%';
UPDATE changes SET fields = replace(fields::text, '"former_names"', '"aliases"')::jsonb
    WHERE entity = 'contact' AND fields::text LIKE '%"former_names"%';
