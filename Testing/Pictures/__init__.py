"""Before/after pictures of all effects: ``make pictures`` makes them and their page."""
