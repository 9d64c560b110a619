"""What every app may use: error kinds, the Record base, actors, bilingual text. No tables."""
