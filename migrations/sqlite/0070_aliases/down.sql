UPDATE contacts SET name_parts = replace(name_parts, '"aliases":', '"former_names":');
UPDATE changes SET before = replace(before, '"aliases":', '"former_names":')
    WHERE entity = 'contact' AND before LIKE '%"aliases"%';
UPDATE changes SET fields = replace(fields, '"aliases"', '"former_names"')
    WHERE entity = 'contact' AND fields LIKE '%"aliases"%';
