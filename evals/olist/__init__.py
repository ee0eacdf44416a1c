"""The shipping-delay decision on 97,583 real orders, forward in time, beside a rule at equal notices."""
