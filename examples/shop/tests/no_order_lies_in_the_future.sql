select order_id, ordered_on
from {{ ref('orders') }}
where ordered_on > cast('{{ var("as_of") }}' as date)
