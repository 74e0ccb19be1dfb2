"""What the organisation reports about itself: definitions, relationships, CSDL."""
