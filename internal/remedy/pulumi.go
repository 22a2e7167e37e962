package remedy

func pulumi(f Facts) (Fix, error) { panic("pulumi") }
