"""What several test modules share: plain twins of the product, random cases, the command line in process."""
