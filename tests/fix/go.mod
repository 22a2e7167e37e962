module github.com/cniguard/cniguard/tests/fix

go 1.26

require github.com/cniguard/cniguard v0.0.0

replace github.com/cniguard/cniguard => ../..
