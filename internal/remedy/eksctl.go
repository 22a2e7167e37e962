package remedy

func eksctl(f Facts) (Fix, error) { panic("eksctl") }
