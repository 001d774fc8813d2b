"""OpenAI's form, as OpenAI itself, Groq and Gemini's compatible endpoint speak it."""
