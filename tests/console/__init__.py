"""The pages for headquarters, as a browser and as each role sees them."""
