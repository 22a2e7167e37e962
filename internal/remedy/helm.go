package remedy

func helm(f Facts) (Fix, error) { panic("helm") }
