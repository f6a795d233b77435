"""The AiM instruction set (ISR traces), run on GDDR6-AiM devices command by command."""
