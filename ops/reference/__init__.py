"""The lists in docs/ that are made from the code: one file each. `manage.py generate_docs` writes them."""
