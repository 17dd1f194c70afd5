UPDATE contacts SET name_parts = replace(name_parts::text, '"aliases":', '"former_names":')::jsonb;
UPDATE changes SET before = replace(before::text, '"aliases":', '"former_names":')::jsonb
    WHERE entity = 'contact' AND before::text LIKE '%"aliases"%';
UPDATE changes SET fields = replace(fields::text, '"aliases"', '"former_names"')::jsonb
    WHERE entity = 'contact' AND fields::text LIKE '%"aliases"%';
