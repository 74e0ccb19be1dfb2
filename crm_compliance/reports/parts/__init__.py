"""What every form of a report is made of: sentences, links, cells, instants, a terminal."""
