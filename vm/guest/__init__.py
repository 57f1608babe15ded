"""The guest image: the recipe that builds it, what runs in it, how it is signed, fetched and handed its values."""
