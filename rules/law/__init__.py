"""The retention schedule in columns: an expression for each rule, over the facts of many units at once."""
