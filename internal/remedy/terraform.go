package remedy

func terraform(f Facts) (Fix, error) { panic("terraform") }
