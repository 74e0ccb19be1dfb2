"""The pages, one module or room for each address; each names its routes and who may take them."""
