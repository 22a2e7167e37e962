package remedy

func manifest(f Facts) (Fix, error) { panic("manifest") }
