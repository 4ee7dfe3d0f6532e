with totals as (
    select
        customer_id,
        count(*) as orders,
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on,
        sum(amount) filter (where status <> 'returned') as lifetime_value
    from {{ ref('stg_orders') }}
    group by customer_id
)

select
    c.customer_id,
    c.name,
    c.email,
    c.country,
    c.signed_up_on,
    coalesce(t.orders, 0) as orders,
    t.first_order_on,
    t.last_order_on,
    coalesce(t.lifetime_value, 0) as lifetime_value
from {{ ref('stg_customers') }} as c
left join totals as t on t.customer_id = c.customer_id
{% if var('break_customers_test') %}
-- customer 1 twice: the test unique_customers_customer_id finds it
left join (values (1), (1)) as twice (customer_id) on twice.customer_id = c.customer_id
{% endif %}
