"""What the organisation tells about itself: definitions, relationships, CSDL."""
