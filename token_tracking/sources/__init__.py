"""Where usage comes from. A source yields readings; it knows neither tracker nor store."""
