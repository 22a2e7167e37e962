package remedy

func cloudFormation(f Facts) (Fix, error) { panic("cloudFormation") }
