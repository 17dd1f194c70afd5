-- The other names of a contact are called as those of an organization. A quote within a text is escaped, so that no text matches.
UPDATE contacts SET name_parts = replace(name_parts, '"former_names":', '"aliases":');
UPDATE changes SET before = replace(before, '"former_names":', '"aliases":')
    WHERE entity = 'contact' AND before LIKE '%"former_names"%';
UPDATE changes SET fields = replace(fields, '"former_names"', '"aliases"')
    WHERE entity = 'contact' AND fields LIKE '%"former_names"%';
