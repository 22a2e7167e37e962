package remedy

func addon(f Facts) (Fix, error) { panic("addon") }
