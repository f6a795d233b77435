"""What PIM-GPT published, computed again."""
