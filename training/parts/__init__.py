"""Train, export and judge the parts network: body parts, skin, hair and clothes of people."""
