select customer_id, case when orders >= 5 then 'loyal' else 'new' end as segment
from {{ ref('customers') }}
