"""Quality: what each value is worth, by the tests of the field's own practice (QARTOD)."""
