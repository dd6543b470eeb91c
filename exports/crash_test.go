package exports

func exportUntilKilled() {}
