"""Before/after pictures of all effects and queries: ``make pictures`` makes them and their page."""
