"""What a pickle would make, as inert objects; the models among them, and their state_dict."""
