"""Make the record of timm's classes by release."""
